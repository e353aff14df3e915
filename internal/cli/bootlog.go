package cli

import (
	"errors"
	"fmt"
	"slices"

	"geusemaker/internal/engine"
	"geusemaker/internal/stack"
)

// Values of --show-logs.
const (
	showAuto   = "auto"
	showAlways = "always"
	showNever  = "never"
)

// keepLog puts the boot log beside the record, for when the machine cannot be asked any more, and shows it when that was
// asked for. Nothing rests on it: what cannot be kept is only told.
func (d *deployment) keepLog() {
	if d.log == "" {
		return
	}
	if err := d.lease.KeepBootLog(d.log); err != nil {
		d.warn("the boot log is not kept: " + err.Error())
	}
	if d.options.showLogs == showAlways {
		fmt.Fprint(d.streams.Err, d.streams.ErrScreen().Panel("boot log of "+d.state.Name, d.log))
	}
}

// withAdvice gives the error of a failed boot, or of a service that is not well, what to do about it. Its last lines of log
// stand in it unless nobody wants them, or all were shown.
func (d *deployment) withAdvice(err error, began []stack.Key) error {
	boot := bootError(err)
	if boot == nil {
		return &hinted{err: err}
	}
	shown := d.options.showLogs == showAlways && d.global.output != outputJSON
	if shown || d.options.showLogs == showNever {
		boot.Tail = nil
	}
	name := d.state.Name
	return &hinted{err: err, hints: append(
		bootAdvice(name, boot.Step),
		d.keptHint(began),
		fmt.Sprintf("`geusemaker inspect %s` shows more; `geusemaker destroy %s` removes everything", name, name),
	)}
}

// keptHint says that a machine stays whose boot failed, and why.
func (d *deployment) keptHint(began []stack.Key) string {
	const kept = "the machine is kept, and billed, so that its logs can be read"
	switch {
	case len(began) > 0 && d.options.onFailure == onFailureDefault:
		return kept + "; --on-failure rollback would have removed it"
	case len(began) == 0 && d.options.onFailure == onFailureRollback:
		return "this run created nothing, so nothing was rolled back: the machine is kept, and billed"
	default:
		return kept
	}
}

// bootAdvice is what to do about a step of the boot that failed, or about a service.
func bootAdvice(name, step string) []string {
	again := "the boot can be repeated on the machine: systemctl restart geusemaker; then `geusemaker deploy " + name + "` waits for it"
	whole := fmt.Sprintf("`geusemaker logs %s` shows the whole boot log", name)
	switch step {
	case "packages", "docker":
		return []string{whole, "the machine needs a way out to the internet; mirrors of packages can be down for minutes", again}
	case "storage":
		return []string{whole, "with a file system or a subnet of your own: it needs a mount target in the zone, and port 2049 open to the machine", again}
	case "secrets":
		return []string{whole, "the role of the machine must be allowed ssm:GetParameter on the parameter, and kms:Decrypt with a key of your own", again}
	case "images":
		return []string{whole, "registries limit how much is pulled without a login: repeat it in an hour, or name a mirror with --services", again}
	}
	if slices.Contains(serviceNames(), step) {
		return []string{fmt.Sprintf("`geusemaker logs %s --service %s` shows what it says", name, step), fmt.Sprintf("`geusemaker health %s` asks every service from both sides", name)}
	}
	return []string{whole, fmt.Sprintf("`geusemaker health %s` asks every service from both sides", name)}
}

// bootError is the failure of the boot in an error, or nil.
func bootError(err error) *engine.BootError {
	boot, _ := errors.AsType[*engine.BootError](err)
	return boot
}

// connectHint is how to reach a deployment to which nothing is open, or "".
func connectHint(name string, c stack.Config) string {
	if c.Access != stack.AccessTunnel {
		return ""
	}
	return "geusemaker connect " + name + "   # brings the services to localhost"
}
