package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/engine/local"
)

// lookEvery is how often a log that is followed is looked at: there is no portable way to wait
// for a file that other programs rotate.
const lookEvery = 200 * time.Millisecond

func newLogs(open func() *local.Engine) *cobra.Command {
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:   "logs [ENDPOINT]",
		Short: "Print what the engine, or an endpoint's model servers, logged",
		Example: `  tidegate engine logs
  tidegate engine logs penguins -f
  tidegate engine logs local/here/penguins -n 20`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			p := printer{out: cmd.OutOrStdout(), lines: lines, offsets: map[string]int64{}}
			for {
				files, err := open().Logs(cmd.Context(), name)
				if err != nil {
					return err
				}
				if err := p.print(files); err != nil || !follow {
					return err
				}
				if !pause(cmd.Context()) {
					return nil // Ctrl-C is how following ends
				}
			}
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is logged from now on")
	cmd.Flags().IntVarP(&lines, "lines", "n", 200, "how many lines of each file to begin with")
	return cmd
}

// pause waits for a while, and returns false when ctx ends before.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(lookEvery):
		return true
	case <-ctx.Done():
		return false
	}
}

// A printer prints the ends of files, and then what is added to them.
type printer struct {
	out     io.Writer
	lines   int
	offsets map[string]int64
	last    string // file that was printed last
}

func (p *printer) print(files []string) error {
	for _, path := range files {
		if err := p.printFile(path, len(files) > 1); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (p *printer) printFile(path string, named bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	st, err := f.Stat()
	if err != nil {
		return err
	}
	offset, seen := p.offsets[path]
	if offset > st.Size() { // rotated
		offset = 0
	}
	b, err := io.ReadAll(io.NewSectionReader(f, offset, st.Size()-offset))
	if err != nil {
		return err
	}
	p.offsets[path] = offset + int64(len(b))
	if !seen {
		b = tail(b, p.lines)
	}
	if len(b) == 0 {
		return nil
	}
	if named && p.last != path {
		_, err = fmt.Fprintf(p.out, "==> %s <==\n", filepath.Join(filepath.Base(filepath.Dir(path)), filepath.Base(path)))
		if err != nil {
			return err
		}
	}
	p.last = path
	_, err = p.out.Write(b)
	return err
}

// tail returns the last n lines.
func tail(b []byte, n int) []byte {
	end := bytes.TrimSuffix(b, []byte("\n"))
	for i := len(end); n > 0; n-- {
		i = bytes.LastIndexByte(end[:i], '\n')
		if i < 0 {
			return b
		}
		if n == 1 {
			return b[i+1:]
		}
	}
	return nil
}
