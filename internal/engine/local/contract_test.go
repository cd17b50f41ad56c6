package local_test

import (
	"testing"
	"time"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/endpoint/endpointtest"
)

func TestEngineKeepsTheContract(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.cluster()
	l.put("good.json", model{Name: "good"})
	l.put("better.json", model{Name: "better"})
	l.put("broken.json", model{Name: "broken", Exit: true})
	spec := func(name, m string) endpoint.Spec {
		s := l.spec(name, m+".json")
		s.Runtime.StartTimeout = 20 * time.Second
		return s
	}
	endpointtest.Run(t, func(*testing.T) endpointtest.Subject { return endpointtest.Subject{Engine: l.endpoints(), Spec: spec} })
}
