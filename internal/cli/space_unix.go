//go:build linux || darwin

package cli

import (
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
)

// freeSpace is how many bytes can be written under a folder, which need not exist yet.
func freeSpace(folder string) (int64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(folder, &s)
	for errors.Is(err, fs.ErrNotExist) && filepath.Dir(folder) != folder {
		folder = filepath.Dir(folder)
		err = syscall.Statfs(folder, &s)
	}
	return int64(s.Bavail) * int64(s.Bsize), err //nolint:gosec,unconvert // the types differ by system; no disk is that large
}
