// Package term is what people see: the standard streams and what is known of the terminal behind them, colour, tables,
// prompts, the views of results and the renderers of the engine's events. It decides nothing about deployments.
//
// It rests on golang.org/x/term and github.com/charmbracelet/x/ansi only. A command such as `version` must start within
// milliseconds and must not touch the terminal, but lipgloss v2 detects the colours of the terminal while it is imported
// (`var Writer = colorprofile.NewWriter(os.Stdout, os.Environ())` in its writer.go), and inside tmux that detection runs
// `tmux info` as a child process (colorprofile, env.go), on every command, whatever it prints. Here the sixteen colours
// of the user's own theme are enough, and those need no detection.
//
// The live display does not use bubbletea for the reason that restic and docker compose do not: it takes no input, so a
// program loop would only add a hidden cursor that a killed process leaves hidden. Package term never hides the cursor
// and leaves it below what it drew after every single write, so there is nothing to restore, however the process ends.
package term
