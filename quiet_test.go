package main

import (
	"os"
	"testing"
)

func TestSDKLogsOnlyWhereSomebodyAsked(t *testing.T) {
	for _, tt := range []struct {
		environment []string
		want        string
	}{
		{[]string{"PATH=/bin"}, "off"},
		{[]string{"TF_LOG="}, "off"},
		{[]string{"TF_LOG=debug"}, ""},
		{[]string{"TF_LOG_PROVIDER=trace"}, ""},
		{[]string{"TF_LOG_SDK_FRAMEWORK=trace"}, ""},
	} {
		t.Setenv(sdkLog, "")
		if err := quiet(tt.environment); err != nil {
			t.Fatal(err)
		}
		if got := os.Getenv(sdkLog); got != tt.want {
			t.Errorf("with %q the level is %q, want %q", tt.environment, got, tt.want)
		}
	}
}
