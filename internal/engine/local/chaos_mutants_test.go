package local

import "encoding/json"

// A mutant is a mistake in a daemon, made by what stands around it.
type mutant int

const (
	noMutant mutant = iota
	noVersionCheck
	cursorApart
	countsAgain
	unsettled
	deafRouter
	losesWrites
)

// mutateSave changes a runner's save on its way in.
func (p *simDaemon) mutateSave(body []byte) []byte {
	m := p.s.schedule.mutant
	if m != noVersionCheck && m != cursorApart {
		return body
	}
	var q recordBody
	doc, _, err := p.d.load(chaosID)
	if json.Unmarshal(body, &q) != nil || err != nil || doc == nil {
		return body
	}
	switch m {
	case noVersionCheck: // the last writer wins
		q.Version = doc.version()
		q.Record.Epoch = max(q.Record.Epoch, doc.Record.Epoch)
	case cursorApart: // the cursor would come in another write, which never comes
		q.Record.Cursor = doc.Record.Cursor
	default:
	}
	b, err := json.Marshal(q)
	if err != nil {
		return body
	}
	return b
}

// mutateCount makes the engine forget what it gave out.
func (p *simDaemon) mutateCount(body []byte) []byte {
	var q countRequest
	var c cursor
	if p.s.schedule.mutant != countsAgain || json.Unmarshal(body, &q) != nil || json.Unmarshal(q.Cursor, &c) != nil || c.Cut < 2 {
		return body
	}
	c.Cut--
	b, err := json.Marshal(c)
	if err != nil {
		return body
	}
	q.Cursor = b
	if b, err = json.Marshal(q); err != nil {
		return body
	}
	return b
}

// mutateSaved takes back what follows from the end of a rollout.
func (p *simDaemon) mutateSaved() {
	if p.s.schedule.mutant != unsettled {
		return
	}
	_ = p.d.store.update(func(t *tx) error {
		doc, err := t.endpoint(chaosID)
		if err != nil || doc == nil || !doc.Record.Phase.Final() || doc.Candidate != nil {
			return errUnchanged
		}
		c := doc.Stable
		c.Revision.Digest = doc.Record.Candidate
		doc.Candidate = &c
		return t.put(doc)
	})
}
