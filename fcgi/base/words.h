#ifndef BASE_WORDS_H
#define BASE_WORDS_H

/* Lists in one text, as configuration values have them: words with blanks or tabs between. */

#include <stdbool.h>
#include <string.h>

#include "base/slice.h"

#define WORDS_BLANKS " \t"

/* Takes the next word off the list.  False: there is none; *word is then empty. */
static inline bool
words_next(const char **list, struct slice *word)
{
	*list += strspn(*list, WORDS_BLANKS);
	*word = slice_of(*list, strcspn(*list, WORDS_BLANKS));
	*list += word->n;
	return word->n > 0;
}

/* Is the word one of the list, byte by byte? */
static inline bool
words_include(const char *list, const char *word)
{
	struct slice w;

	while (words_next(&list, &w)) {
		if (slice_is(w, word))
			return true;
	}
	return false;
}

#endif
