package term

// InspectInput is everything about one thing: whoever knows it puts it into sections.
type InspectInput struct {
	Title    string
	Status   string // shown beside the title
	Sandbox  bool
	Sections []Section
	Warnings []string
}

// InspectView shows a thing section by section, and at the end, where the eye rests, what deserves a look.
func InspectView(s Screen, in InspectInput) string {
	return blocks(s.Heading(in.Title, in.Status, in.Sandbox), s.Sections(in.Sections...), s.Warnings(in.Warnings))
}
