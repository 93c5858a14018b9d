/*-------------------------------------------------------------------------
 *
 * explain_splice.c
 *	  Where in the text of an EXPLAIN a query's group ends.
 *
 * Before 18 nobody is called while the server writes a query's group, and an
 * EXPLAIN EXECUTE does not come by any hook at all; so what we have to say is
 * put into the finished text.  That is exact, not a guess: the server escapes
 * line breaks in JSON and YAML, and "<" in XML, so a line that begins as below
 * can only be the server's own:
 *
 *	 JSON	"  }"			a query ends before its line break
 *	 XML	"  </Query>"	a query ends before this line
 *	 YAML	"- Plan: "		a query begins; it ends where the next item does
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "explain.h"

/*
 * The place for the group of the first query that ends at or after *at, or
 * NULL: no more of them.  *at moves behind it.
 */
static const char *
next_json(const char **at)
{
	const char *end = strstr(*at, "\n  }");

	if (end != NULL)
		*at = end + 1;
	return end;
}

static const char *
next_xml(const char **at)
{
	const char *end = strstr(*at, "\n  </Query>\n");

	if (end == NULL)
		return NULL;
	*at = end + 1;
	return end + 1;
}

static const char *
next_yaml(const char **at)
{
	const char *begin = *at;
	const char *end;

	while (strncmp(begin, "- Plan: ", strlen("- Plan: ")) != 0)
	{
		begin = strchr(begin, '\n');
		if (begin == NULL)
			return NULL;
		begin++;
	}
	end = strstr(begin, "\n- ");
	if (end == NULL)
		end = begin + strlen(begin);
	*at = *end == '\n' ? end + 1 : end;
	return end;
}

static const char *
next_place(ExplainFormat format, const char **at)
{
	switch (format)
	{
		case EXPLAIN_FORMAT_JSON:
			return next_json(at);
		case EXPLAIN_FORMAT_XML:
			return next_xml(at);
		case EXPLAIN_FORMAT_YAML:
			return next_yaml(at);
		default:
			return NULL;
	}
}

char *
rvd_explain_splice(ExplainFormat format, const char *text, List *groups)
{
	StringInfoData out;
	const char *at = text;
	const char *done = text;
	const char *place;
	int			n = 0;

	initStringInfo(&out);
	while ((place = next_place(format, &at)) != NULL)
	{
		const char *group = n < list_length(groups) ?
			list_nth(groups, n) : NULL;

		n++;
		appendBinaryStringInfo(&out, done, place - done);
		if (group)
			appendStringInfoString(&out, group);
		done = place;
	}
	appendStringInfoString(&out, done);
	return n == list_length(groups) ? out.data : NULL;
}

/* See ExplainOpenGroup(): depth, and that something is there already. */
ExplainState *
rvd_explain_state(ExplainFormat format)
{
	ExplainState *es = NewExplainState();

	es->format = format;
	if (format == EXPLAIN_FORMAT_JSON || format == EXPLAIN_FORMAT_XML)
		es->indent = 2;
	else if (format == EXPLAIN_FORMAT_YAML)
		es->indent = 1;
	es->grouping_stack = list_make1_int(1);
	return es;
}
