//go:build !linux && !darwin

package cli

import "errors"

// freeSpace is how many bytes can be written under a folder.
func freeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }
