package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// disk is what the store does to files that must survive a crash. It is an interface so that tests can make every single
// step fail, or be the last one of a process.
type disk interface {
	mkdir(path string) error
	// create makes a new file; that it exists already is an error.
	create(path string) (file, error)
	rename(from, to string) error
	remove(path string) error
	// syncDir makes the names in a folder durable.
	syncDir(path string) error
}

type file interface {
	io.Writer
	Sync() error
	Close() error
}

// realDisk is the operating system's.
type realDisk struct{}

func (realDisk) mkdir(path string) error      { return os.Mkdir(path, 0o700) }
func (realDisk) rename(from, to string) error { return os.Rename(from, to) }
func (realDisk) remove(path string) error     { return os.Remove(path) }

func (realDisk) create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// syncDir follows POSIX: a new name in a folder is durable only after an fsync of the folder (Linux man-pages, fsync(2)).
// Some network file systems refuse that, and Windows has no such call; they are taken at their word.
func (realDisk) syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// makeDir makes a folder and the folders above it, where they are missing, durably.
func makeDir(d disk, path string) error {
	err := d.mkdir(path)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(path) != path {
		if err := makeDir(d, filepath.Dir(path)); err != nil {
			return err
		}
		err = d.mkdir(path)
	}
	if errors.Is(err, fs.ErrExist) {
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() {
			err = &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
		return err
	}
	if err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

// tempSuffix ends the names of files that are not finished.
const tempSuffix = ".tmp"

// replaceFile puts content into the place of the file: written aside, made durable, then renamed. Whoever reads path sees
// the old content or the new, whole. Unless replaced is true, the old file is as it was and nothing is left beside it.
func replaceFile(d disk, path string, content []byte) (replaced bool, err error) {
	temp := path + "." + strings.ToLower(rand.Text()[:8]) + tempSuffix
	f, err := d.create(temp)
	if err != nil {
		return false, err
	}
	if err := writeAll(f, content); err != nil {
		_ = d.remove(temp)
		return false, err
	}
	if err := d.rename(temp, path); err != nil {
		_ = d.remove(temp)
		return false, err
	}
	return true, d.syncDir(filepath.Dir(path))
}

// writeAll writes, syncs and closes: network file systems tell only then that the disk was full.
func writeAll(f file, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// tidy removes what a process that died left half-written in a folder that we hold the lock of, and closes to others what
// somebody opened to them. It does what it can: files that are not ours stay as they are.
func tidy(dir string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if e.Type().IsRegular() && strings.HasSuffix(path, tempSuffix) {
			_ = os.Remove(path)
			return nil
		}
		if !e.IsDir() && !e.Type().IsRegular() {
			return nil
		}
		if info, err := e.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
			_ = os.Chmod(path, info.Mode().Perm()&0o700)
		}
		return nil
	})
}

// explain says in words what could not be done and what to do about it. The cause stays in the chain.
func explain(doing, path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	const elsewhere = ", or choose another folder with --home"
	hint := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "; make room on that disk, then repeat the command: what was saved before is intact"
	case errors.Is(err, syscall.EROFS):
		hint = "; make the file system writable" + elsewhere
	case errors.Is(err, fs.ErrPermission):
		hint = "; see to it that it belongs to you" + elsewhere
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.ENOTSUP):
		hint = "; its file system cannot do that: choose a folder on a local disk with --home"
	case errors.Is(err, syscall.ENOTDIR):
		hint = "; a file is where a folder should be: move it away" + elsewhere
	}
	return fmt.Errorf("cannot %s %s: %w%s", doing, path, err, hint)
}
