package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// starts of each provider, in turn.
const starts = 21

// starting measures the time from a provider's start until it has answered what its schema is, as Terraform asks it,
// beside a provider of nothing.
func (p *program) starting(ctx context.Context) ([]figure, error) {
	var ours, bare []float64
	for range starts {
		for _, one := range []struct {
			program string
			took    *[]float64
		}{{p.exe(), &ours}, {p.bare(), &bare}} {
			took, err := start(ctx, one.program)
			if err != nil {
				return nil, fmt.Errorf("start %s: %w", one.program, err)
			}
			*one.took = append(*one.took, took.Seconds()*1000)
		}
	}
	a, b := median(ours), median(bare)
	fmt.Printf("starting: the provider %.1f ms until its schema is known, one of nothing %.1f ms\n", a, b)
	return []figure{
		{name: "provider_start", value: a, unit: "ms", most: true, goal: 200},
		{name: "provider_start_over_bare_provider", value: a / b, unit: "times", most: true, goal: 1.5},
	}, nil
}

// start runs a provider until it has said its schema.
func start(ctx context.Context, program string) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), "TF_PLUGIN_MAGIC_COOKIE=d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
		"PLUGIN_PROTOCOL_VERSIONS=6", "TF_LOG_SDK=off")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill() // it has answered
		_ = cmd.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n') // "1|6|unix|PATH|grpc|"
	if err != nil {
		return 0, err
	}
	part := strings.Split(line, "|")
	if len(part) < 5 || part[2] != "unix" {
		return 0, fmt.Errorf("its handshake is %q", line)
	}
	conn, err := grpc.NewClient("unix:"+part[3], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close(), os.Remove(part[3])) }()
	var answer []byte
	if err := conn.Invoke(ctx, "/tfplugin6.Provider/GetProviderSchema", []byte{}, &answer); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

// raw is a codec that leaves messages as they are: an empty one asks, and of the answer only the time matters.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("%T: want bytes", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T: want bytes", v)
	}
	*b = data.Materialize()
	return nil
}
