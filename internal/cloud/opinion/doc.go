// Package opinion is a second opinion on the pretend account. Its tests are a list of behaviours of AWS, each with the
// document of AWS that tells of it. The sandbox must show every one of them. Where the address of a moto server is in
// GEUSEMAKER_MOTO, moto is asked the same through the same clients of the SDK; what it answers differently stands in the list
// too, so that neither can change unseen, and in docs/second-opinion.md with the reason why AWS's document decides.
package opinion
