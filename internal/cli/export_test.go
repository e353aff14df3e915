package cli

// MainSeen is mainSeen for tests that run the product as a process.
var MainSeen = mainSeen

// Problems is problems for tests that run the product as a process.
var Problems = problems
