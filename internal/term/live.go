package term

import (
	"slices"
	"sync"
	"time"

	"geusemaker/internal/engine"
)

// redrawEvery is how often the live display is drawn, in time of the wall: often enough for a spinner, and what did not
// change is not written.
const redrawEvery = 100 * time.Millisecond

// liveProgress keeps a display of all rows up to date at the bottom of a terminal.
type liveProgress struct {
	streams *Streams
	clock   Clock
	once    sync.Once // starts the ticker
	stop    chan struct{}
	stopped sync.WaitGroup

	mu     sync.Mutex
	board  *board
	canvas canvas
	tick   int
	closed bool
}

func newLive(s *Streams, b *board, clock Clock) *liveProgress {
	return &liveProgress{streams: s, clock: clock, board: b, canvas: canvas{w: s.Err}, stop: make(chan struct{})}
}

func (p *liveProgress) Event(ev engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if ev.Time.IsZero() {
		ev.Time = p.clock.Now()
	}
	p.board.apply(ev)
	p.once.Do(func() {
		p.stopped.Go(p.redraw)
		p.draw(nil)
	})
	if said := p.said(ev); said != "" {
		p.draw([]string{said})
	}
}

// said is what must stay to be read above the display.
func (p *liveProgress) said(ev engine.Event) string {
	s := p.streams.ErrScreen()
	switch {
	case ev.Type == engine.EventWarning:
		return s.Yellow("warning: ") + about(ev)
	case ev.Type == engine.EventNote:
		return about(ev)
	case ev.Key == "" && ev.Type == engine.EventFailed:
		return s.Red("failed: ") + about(ev)
	case ev.Key == "" && ev.Type != engine.EventPlan:
		return about(ev)
	default:
		return ""
	}
}

func (p *liveProgress) redraw() {
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			p.mu.Lock()
			p.tick++
			p.draw(nil)
			p.mu.Unlock()
		}
	}
}

// draw asks for the size of the window each time, so that no signal is needed to follow it.
func (p *liveProgress) draw(above []string) {
	width, height := p.streams.errSize()
	screen := Screen{Width: width, Color: p.streams.colorErr}
	p.canvas.draw(width, height, above, p.board.frame(screen, height, p.clock.Now(), p.tick))
}

func (p *liveProgress) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	started := true
	p.once.Do(func() { started = false })
	p.mu.Unlock()
	close(p.stop)
	p.stopped.Wait()
	if !started {
		return
	}
	width, height := p.streams.errSize()
	screen := Screen{Width: width, Color: p.streams.colorErr}
	now := p.clock.Now()
	p.canvas.draw(width, height, slices.Concat(p.board.whole(screen, now), p.board.summary(screen, now)), nil)
}
