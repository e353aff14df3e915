package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"geusemaker/internal/stack"
)

// contenders and turns are how many processes want a lock at once in mode count, and how often each has to get it.
const (
	contenders = 4
	turns      = 12
)

// actAs is the other process: hold takes the lock until its input ends, save saves until it is killed, count adds to the
// serial as often as it must.
func actAs(mode string, h Home, name string) int {
	if err := act(mode, h, name); err != nil {
		fmt.Fprintln(os.Stderr, mode, err)
		return 1
	}
	return 0
}

func act(mode string, h Home, name string) error {
	ctx := context.Background()
	switch mode {
	case "hold":
		l, err := h.Lock(ctx, name, intent())
		if err != nil {
			return err
		}
		fmt.Println("held")
		_, _ = io.Copy(io.Discard, os.Stdin)
		return l.Release()
	case "save":
		l, err := h.Lock(ctx, name, intent())
		if err != nil {
			return err
		}
		for {
			s, err := l.State()
			if err != nil {
				return err
			}
			s.Serial++
			if err := l.Save(s); err != nil {
				return err
			}
			fmt.Println(s.Serial)
		}
	case "count":
		for range turns {
			if err := count(ctx, h, name); err != nil {
				return err
			}
		}
		return nil
	default:
		return errors.New("unknown mode")
	}
}

// count waits for its turn and saves one change that builds on what is there.
func count(ctx context.Context, h Home, name string) error {
	for {
		l, err := h.Lock(ctx, name, intent())
		if _, busy := errors.AsType[*LockedError](err); busy {
			continue
		}
		if err != nil {
			return err
		}
		s, err := l.State()
		if err != nil {
			return err
		}
		s.Serial++
		vpc := s.Records[stack.KeyVPC]
		vpc.Attempt++
		s.Records[stack.KeyVPC] = vpc
		return errors.Join(l.Save(s), l.Release())
	}
}
