package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// File reads a file of a deployment as it lies there, for those who look for a fault. One that does not exist is
// fs.ErrNotExist; nothing outside of the deployment's own folder is read.
func (h Home) File(name, file string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	folder, err := os.OpenRoot(h.deployment(name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = folder.Close() }() // it was only read
	raw, err := folder.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, explain("read", filepath.Join(h.deployment(name), file), err)
	}
	return raw, err
}
