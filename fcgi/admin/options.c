#include "admin/options.h"

#include "base/slice.h"

static bool
matches(const struct option_def *def, struct slice name, bool is_short)
{
	if (is_short)
		return name.n == 1 && def->letter != 0 && name.p[0] == def->letter;
	return slice_is(name, def->name);
}

/*
 * Where the value of that option goes, the first such place that is free; NULL: there is no
 * such option.
 */
static const struct option_def *
find(const struct options *o, struct slice name, bool is_short, const char ***value)
{
	const struct option_def *taken = NULL;

	for (size_t k = 0; k < 2 && o->sets[k] != NULL; k++) {
		struct option_set *set = o->sets[k];

		for (size_t i = 0; i < set->n; i++) {
			if (!matches(&set->defs[i], name, is_short))
				continue;
			taken = &set->defs[i];
			*value = &set->values[i];
			if (**value == NULL)
				return taken;
		}
	}
	return taken;
}

/* Takes the option that `word` is, and the next word as well where that is its value. */
static int
take_option(struct options *o, const char *word, struct err *err)
{
	bool is_short = word[1] != '-';
	const char *name = word + (is_short ? 1 : 2);
	size_t n = is_short ? strlen(name) : strcspn(name, "=");
	const struct option_def *def;
	const char **value;

	def = find(o, slice_of(name, n), is_short, &value);
	if (def == NULL)
		return err_set(
		    err, 400, "there is no option %.*s here", (int)(name - word + (long)n), word);
	/* a switch that is given twice means the same; `berth help` sets the switch help */
	if (*value != NULL && def->value != NULL)
		return err_set(err, 400, "--%s is given twice", def->name);
	if (def->value == NULL && name[n] == '=')
		return err_set(err, 400, "--%s takes no value", def->name);
	if (def->value == NULL)
		*value = "";
	else if (name[n] == '=')
		*value = name + n + 1;
	else if (*o->next != NULL)
		*value = *o->next++;
	else
		return err_set(err, 400, "--%s needs %s", def->name, def->value);
	return 0;
}

int
options_next(struct options *o, const char **word, struct err *err)
{
	while (*o->next != NULL) {
		*word = *o->next++;
		if (o->ended || (*word)[0] != '-' || (*word)[1] == '\0')
			return 0;
		if (strcmp(*word, "--") == 0)
			o->ended = true;
		else if (take_option(o, *word, err) == -1)
			return -1;
	}
	*word = NULL;
	return 0;
}

int
options_check(const struct option_set *set, struct err *err)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct option_def *def = &set->defs[i];

		if (def->required && set->values[i] == NULL)
			return err_set(err, 400, "--%s%s%s is missing", def->name, def->value != NULL ? " " : "",
			    def->value != NULL ? def->value : "");
	}
	return 0;
}
