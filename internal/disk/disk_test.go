package disk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk"
	"github.com/tidegatehq/terraform-provider-tidegate/internal/disk/powercut"
)

func TestAReplacedFileIsTheOldOneOrTheNewOne(t *testing.T) {
	t.Parallel()
	for _, forgotten := range []string{"", "file.new", "folder", "disk"} {
		temp := powercut.TempDir(t)
		root := filepath.Join(temp, "disk")
		if err := os.Mkdir(root, 0o700); err != nil {
			t.Fatal(err)
		}
		d := powercut.New(root)
		folder := filepath.Join(root, "deep", "folder")
		if err := disk.MkdirAll(d, folder, 0o700); err != nil {
			t.Fatal(err)
		}
		var since []int
		for _, text := range []string{"old", "new"} {
			if err := disk.Replace(d, filepath.Join(folder, "file"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			since = append(since, d.Now())
		}
		d.Forget(func(path string) bool { return filepath.Base(path) == forgotten })
		err := d.Cuts(temp, 1, func(c powercut.Cut) error {
			b, err := os.ReadFile(filepath.Join(c.Folder, "deep", "folder", "file"))
			switch text := string(b); {
			case errors.Is(err, fs.ErrNotExist) && c.After < since[0]:
			case err == nil && text == "old" && c.After < since[1]:
			case err == nil && text == "new":
			default:
				return fmt.Errorf("%q, %w", text, err)
			}
			return nil
		})
		if (err != nil) != (forgotten != "") {
			t.Errorf("without a sync of %q: %v", forgotten, err)
		}
	}
}
