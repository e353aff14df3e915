package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// versionDoc is what `version` prints.
type versionDoc struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func thisVersion() versionDoc {
	return versionDoc{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
}

func (d versionDoc) String() string {
	return fmt.Sprintf("%s (%s, %s/%s)", d.Version, d.Go, d.OS, d.Arch)
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			doc := thisVersion()
			return a.print(doc, func() string { return fmt.Sprintf("geusemaker version %s\n", doc) })
		},
	}
}

func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: `Exit codes:

    0   done
    1   failure
    2   wrong usage or configuration; nothing was made or changed
    3   partial: resources exist; the message says how to resume or destroy
    4   credentials or permission
    5   not found
    6   locked by another operation
    7   no capacity or quota
    8   over budget
    9   unhealthy: created, but a service or the boot failed
  130   interrupted`}
}

func newEnvironmentTopic() *cobra.Command {
	return &cobra.Command{Use: "environment", Short: "The environment variables that are read", Long: `Every key of the configuration and every global flag has a variable: GEUSEMAKER_ and its name in capitals.
--instance-type is GEUSEMAKER_INSTANCE_TYPE, --home is GEUSEMAKER_HOME. A flag wins over the variable, the variable over
the config file, the file over the default. ` + "`geusemaker config show`" + ` tells where each value comes from.
Of a flag without a value the variable is 1 or 0, true or false; any other word is refused.

  GEUSEMAKER_HOME            folder for the records of deployments, ~/.geusemaker by default
  GEUSEMAKER_SANDBOX         1 to use the pretend account
  GEUSEMAKER_SANDBOX_SPEED   seconds of the pretend account in one of ours, 20 by default
  NO_COLOR                   no colour
  ACCESSIBLE                 anything: as --accessible, for screen readers

AWS settings are those of every AWS tool: AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL and so on.`}
}
