package main

import "github.com/spf13/cobra"

// verbs lists the verbs, in the order of the help. A verb's output goes to its
// command's OutOrStdout, and it returns its error.
func verbs() []func() *cobra.Command {
	return []func() *cobra.Command{
		statusVerb,
		containersVerb,
		showVerb,
		explainVerb,
		topVerb,
		metricsVerb,
		doctorVerb,
		reloadVerb,
		reexecVerb,
		virtualizationVerb,
		attachVerb,
		detachVerb,
		unitVerb,
		nspawnVerb,
		dockerOptionsVerb,
		mountCheckVerb,
		mountStopVerb,
	}
}
