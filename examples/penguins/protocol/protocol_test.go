package protocol

import (
	"reflect"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/examples/penguins/data"
)

func TestTensorsReadBackAsTheBirdsTheyWereWrittenFrom(t *testing.T) {
	rows, err := data.Load()
	if err != nil {
		t.Fatal(err)
	}
	birds := make([]data.Bird, len(rows))
	for i, row := range rows {
		birds[i] = row.Bird
	}
	tensors, err := Tensors(birds)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Birds(tensors, len(birds))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, birds) {
		t.Error("the birds came back changed")
	}
	if _, err := Birds(tensors, len(birds)-1); err == nil {
		t.Error("more birds than the limit were read")
	}
}
