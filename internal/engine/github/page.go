package github

import "fmt"

// pageLimit is how many pages of 100 are read of a list: GitHub holds no more of what is listed here.
const pageLimit = 30

// pages reads a list to its end, or until read returns 0 for the page after its own.
func pages(read func(page int) (next int, err error)) error {
	page := 1
	for range pageLimit {
		next, err := read(page)
		if err != nil || next == 0 {
			return err
		}
		page = next
	}
	return &Error{Kind: ErrRefused, Message: fmt.Sprintf("the list has more than %d pages", pageLimit)}
}
