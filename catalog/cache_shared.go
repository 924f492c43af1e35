package catalog

import (
	"strings"
	"sync"
)

// mostShared bounds the texts that records share. There are few: states, shards, names of attributes.
const mostShared = 4096

// shared keeps one copy of texts that many tenants have.
type shared struct {
	mu    sync.Mutex
	texts map[string]string
}

func (s *shared) get(text string) string {
	if text == "" {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.texts[text]; ok {
		return known
	}
	text = strings.Clone(text)
	if len(s.texts) < mostShared {
		if s.texts == nil {
			s.texts = map[string]string{}
		}
		s.texts[text] = text
	}
	return text
}
