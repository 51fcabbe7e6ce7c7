// Tally counts the outcomes of a test run, whichever language its tests are written
// in.
//
//	go test -json ./... | tally go SUITE RESULTS
//	script | tally tap SUITE RESULTS
//	tally failed RESULTS
//	tally merge FIRST SECOND RESULTS
//	tally report RESULTS SKIPS
//
// The first two read a stream of test events, show what failed and what was
// skipped, and append one line per test to the file RESULTS. The next two are for a
// second attempt at what failed: which Go tests to run again, and both attempts as
// one. The last prints every skip with its reason, fails when one of them is not
// expected by the file SKIPS, and ends with the line "N passed, N failed, N
// skipped". Tally runs no tests and knows nothing of the product.
package main
