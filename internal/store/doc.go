// Package store keeps deployments on disk: it locks them for an operation, saves them so that no crash and no full disk
// loses what was known, keeps backups, reads what older versions wrote, and puts away what is gone.
//
//	<home>/deployments/<name>/state.json   everything that is known; replaced whole, never written in place
//	                          lock         held by the operating system for as long as an operation runs
//	                          lock.json    who holds it
//	                          backups/     the state before each of the last operations
//	                          events.jsonl what happened, one JSON object a line
//	<home>/archive/<name>-<id>-<time>/     the same folder, after the deployment was destroyed
//
// Folders are made with mode 0700 and files with 0600. The package decides nothing about resources and shows nothing to
// people, but its errors are in words for them.
package store
