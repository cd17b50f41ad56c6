package report

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/gate"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/rollout"
)

func promotion() Promotion {
	at := func(minute int) time.Time { return time.Date(2026, 5, 4, 9, minute, 0, 0, time.UTC) }
	return Promotion{Root: "infra/prod", Left: []string{"local/here/seals"}, Endpoints: []Promoted{
		{ID: "local/here/walruses", Message: "Nothing is staged on local/here/walruses, which never had a rollout.", Good: true},
		{ID: "local/here/penguins", Message: "Not promoted: 3f2a9c07d1b4 has all traffic of local/here/penguins. The gate errors closed.", Driven: true, Record: rollout.Record{
			History: []rollout.Entry{
				{At: at(0), Sentence: "tidegate promote, by octocat on runner (pid 7) drives the rollout."},
				{At: at(1), Weight: 5, Sentence: "5% of traffic goes to the candidate, the first of 2 steps."},
				{At: at(3), Weight: 50, Sentence: "3 of 1,204 requests failed on it at 5%, 40 of 22,876 on stable."},
				{At: at(4), Sentence: "The gate errors closed."},
			},
			Verdicts: []gate.Verdict{
				{Gate: "errors", Outcome: gate.Fail, Sentence: "31 of 402 requests failed on the candidate, 2 of 398 on stable."},
				{Gate: "latency", Outcome: gate.Wait, Sentence: "Slow answers are not decided."},
			},
		}},
	}}
}

func TestPromotionTellsTheStoryAndWhatTheGatesSaw(t *testing.T) {
	text := promotion().Markdown(SummaryLimit)
	golden(t, filepath.Join("testdata", "plan", "promotion.md"), text)
	look(t, "promotion", text)
}

func TestPromotionIsGreenOnlyWhereNothingIsLeft(t *testing.T) {
	t.Parallel()
	promoted := Promoted{ID: "a", Driven: true, Good: true}
	for want, p := range map[string]Promotion{
		"[!TIP]\n> **1 endpoint promoted**":           {Endpoints: []Promoted{promoted}},
		"[!TIP]\n> **Nothing to promote**":            {},
		"[!CAUTION]\n> **1 of 2 endpoints promoted**": {Endpoints: []Promoted{promoted}, Left: []string{"b"}},
		"[!CAUTION]\n> **0 of 1 endpoint promoted**":  {Endpoints: []Promoted{{ID: "a", Driven: true}}},
	} {
		if text := p.Markdown(1000); !strings.Contains(text, want) {
			t.Errorf("%s\nwant %s", text, want)
		}
	}
}

func TestPromotionFitsAndStaysText(t *testing.T) {
	t.Parallel()
	for _, text := range hostile {
		of := func(text string) string {
			p := promotion()
			p.Root, p.Left = text, []string{text}
			p.Endpoints[1].ID, p.Endpoints[1].Message = text, text
			p.Endpoints[1].Record.History[1].Sentence = text
			p.Endpoints[1].Record.Verdicts[0].Gate, p.Endpoints[1].Record.Verdicts[0].Sentence = text, text
			return p.Markdown(SummaryLimit)
		}
		checkText(t, text, of(text), of(harmlessLike(text)), 0)
	}
	p := promotion()
	for range 200 {
		p.Endpoints[1].Record.History = append(p.Endpoints[1].Record.History, rollout.Entry{Sentence: strings.Repeat("word ", 50)})
	}
	for _, limit := range []int{1000, 2000, 5000, 50000} {
		text := p.Markdown(limit)
		if len(text) > limit {
			t.Errorf("%d bytes, %d are allowed:\n%s", len(text), limit, text)
		}
		checkBalance(t, "a long promotion", text)
	}
}
