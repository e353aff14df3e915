// Command geusemaker puts a complete self-hosted AI stack on a user's own AWS account, and lists, inspects and removes it.
package main

import (
	"os"

	"geusemaker/internal/cli"
)

func main() { os.Exit(cli.Main()) }
