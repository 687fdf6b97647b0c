package simulator

import "strings"

// checkLink checks a link of an event: a context of v1, an entry of links in v2.
// That it has a target is in both OpenAPI descriptions; the texts here are
// [unknown, safe reading].
func (c *complaints) checkLink(list string, link object) {
	target, ok := link.text("href")
	if !ok || isBlank(target) {
		c.add("%s: a link must have href", list)
	}
	if _, ok := link.text("text"); !ok {
		c.add("%s: the text of a link must be a string", list)
	}
}

// checkImage checks an image of an event. Its source is documented as served by
// HTTPS.
func (c *complaints) checkImage(list string, image object) {
	source, ok := image.text("src")
	if !ok || !strings.HasPrefix(source, "https://") {
		c.add("%s: an image must have src, an https URL", list)
	}
	for _, name := range []string{"href", "alt"} {
		if _, ok := image.text(name); !ok {
			c.add("%s: the %s of an image must be a string", list, name)
		}
	}
}
