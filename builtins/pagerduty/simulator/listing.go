package simulator

import "net/http"

// listing answers with the page of a list that a request asks for. Clients rely
// on listings having "more" (pdpyras), so even those have it that the service
// sends whole; notes and abilities alone do not.
func listing[T any](x *exchange, name string, all []T, render func(T) any) response {
	asked, complaint := readPage(x.query)
	if complaint != "" {
		return invalidInput(complaint)
	}
	found, position := cut(all, asked)
	documents := make([]any, 0, len(found))
	for _, entry := range found {
		documents = append(documents, render(entry))
	}
	return document(http.StatusOK, map[string]any{
		name:     documents,
		"limit":  position.Limit,
		"offset": position.Offset,
		"more":   position.More,
		"total":  position.Total,
	})
}

// single answers with one resource under its name, as every REST answer has it.
func single(status int, name string, resource any) response {
	return document(status, map[string]any{name: resource})
}
