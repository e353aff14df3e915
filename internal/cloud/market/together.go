package market

import (
	"context"
	"errors"
	"sync"
	"time"

	"geusemaker/internal/cloud/api"
)

// together asks the questions at once, waits for all answers and joins the errors in the order of the questions. That a
// question was broken off because another failed is no news.
func together(questions ...func() error) error {
	errs := make([]error, len(questions))
	var wg sync.WaitGroup
	for i, ask := range questions {
		wg.Go(func() { errs[i] = ask() })
	}
	wg.Wait()
	return joined(errs...)
}

// patience is how long an answer that is not needed is waited for.
const patience = 6 * time.Second

// fewAttempts bounds how often a question is repeated whose answer is not needed.
const fewAttempts = 2

// because is an error in the words of a warning.
func because(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	message, _ := api.Explain(err)
	return message
}
