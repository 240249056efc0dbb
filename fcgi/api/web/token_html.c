#include "api/web/token_html.h"

#include <inttypes.h>
#include <string.h>

#include "access/token_limits.h"
#include "base/clock.h"
#include "http/html.h"

const char token_html_style[] =
    ":root{color-scheme:light dark;--line:#8885;--soft:#8881;--accent:#1a5fb4;--bad:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--accent:#8ab8f5;--bad:#ff8a80}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:60rem;padding:1.5rem;font:1rem/1.5 system-ui,sans-serif}\n"
    "header{display:flex;flex-wrap:wrap;gap:1rem;align-items:center;"
    "justify-content:space-between;border-bottom:1px solid var(--line);padding-bottom:.75rem}\n"
    "header p,header form{margin:0}\n"
    "h1{font-size:1.5rem;margin:0}\n"
    "h2{font-size:1.2rem;margin:2rem 0 .75rem}\n"
    "a{color:var(--accent)}\n"
    "table{width:100%;border-collapse:collapse}\n"
    "th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;"
    "border-bottom:1px solid var(--line)}\n"
    "th{font-weight:600}\n"
    "td.name{overflow-wrap:anywhere}\n"
    "small,.hint{opacity:.75;font-size:.875rem}\n"
    ".hint{margin:.2rem 0 0}\n"
    "fieldset{border:1px solid var(--line);border-radius:.5rem;margin:0 0 1rem;padding:.75rem 1rem}\n"
    "legend{font-weight:600;padding:0 .35rem}\n"
    ".field{margin:0 0 1rem}\n"
    ".field>label{display:block;font-weight:600;margin-bottom:.25rem}\n"
    "input[type=text],input[type=date]{font:inherit;width:100%;max-width:28rem;padding:.4rem .6rem;"
    "border:1px solid var(--line);border-radius:.375rem}\n"
    ".choice{display:block;margin:.25rem 0}\n"
    "button{font:inherit;padding:.4rem .9rem;border:1px solid var(--line);border-radius:.375rem;"
    "background:var(--soft);color:inherit;cursor:pointer}\n"
    "button.main{background:#1a5fb4;border-color:#1a5fb4;color:#fff;font-weight:600}\n"
    "button.bad{border-color:var(--bad);color:var(--bad)}\n"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:2px}\n"
    "summary{cursor:pointer;color:var(--accent)}\n"
    "code,output{font-family:ui-monospace,monospace;font-size:.95em;overflow-wrap:anywhere}\n"
    ".box{border:1px solid var(--line);border-left:.375rem solid var(--accent);"
    "border-radius:.375rem;background:var(--soft);padding:.75rem 1rem;margin:1.5rem 0}\n"
    ".box.wrong{border-left-color:var(--bad)}\n"
    ".box p{margin:.25rem 0}\n"
    "output{display:block;padding:.5rem 0;font-size:1.05em;user-select:all}\n";

static void
begin(struct buf *b, const char *title)
{
	html_printf(b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<title>%s</title>\n<link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>\n",
	    title);
}

static void
end(struct buf *b)
{
	buf_puts(b, "</body>\n</html>\n");
}

static void
put_day(struct buf *b, int64_t seconds, const char *never)
{
	enum { DAY = 10 };
	char text[CLOCK_RFC3339_SIZE];

	if (seconds == 0) {
		html_text(b, never);
		return;
	}
	clock_rfc3339((time_t)seconds, text);
	buf_puts(b, "<time>");
	buf_put(b, text, DAY);
	buf_puts(b, "</time>");
}

/* What makes a form one of this session's. */
static void
put_form(struct buf *b, const struct web_session *v, const char *action)
{
	char secret[SECRET_FORM_SIZE];

	secret_form(v->secret, v->session.user_id, secret);
	html_printf(b,
	    "<form method=\"post\" action=\"%s\"><input type=\"hidden\" name=\"form\" value=\"%s\">",
	    action, secret);
}

static void
put_limits(struct buf *b, const struct token_entry *t)
{
	if (t->operations != NULL)
		html_printf(b, "<br><small>only %s</small>", t->operations);
	if (t->crates != NULL)
		html_printf(b, "<br><small>only crates %s</small>", t->crates);
}

/* nginx cannot check a token without a slot, so its owner may want another one. */
static void
put_slot(struct buf *b, const struct token_entry *t)
{
	html_printf(b, "<br><small>%s%s</small>", t->slot != NULL ? "slot " : "no slot",
	    t->slot != NULL ? t->slot : "");
}

static void
put_token(struct buf *b, const struct web_session *v, const struct token_entry *t)
{
	char action[64];

	snprintf(action, sizeof(action), "tokens/%" PRId64 "/revoke", t->id);
	html_printf(b, "<tr><td class=\"name\">%s", t->name[0] != '\0' ? t->name : "(no name)");
	put_limits(b, t);
	put_slot(b, t);
	html_printf(b, "</td><td>%s</td><td>", t->scopes);
	put_day(b, t->created_at, "");
	buf_puts(b, "</td><td>");
	put_day(b, t->last_used_at, "never");
	buf_puts(b, "</td><td>");
	put_day(b, t->expires_at, "never");
	/* two steps, without a script: what is revoked does not come back */
	html_printf(b, "</td><td><details><summary aria-label=\"Revoke %s\">Revoke</summary>",
	    t->name);
	put_form(b, v, action);
	buf_puts(b, "<button class=\"bad\">Revoke for good</button></form></details></td></tr>\n");
}

static void
put_tokens(struct buf *b, const struct token_page *page)
{
	buf_puts(b, "<h2>Your tokens</h2>\n");
	if (page->ntokens == 0) {
		buf_puts(b, "<p>You have no tokens that you can use.</p>\n");
		return;
	}
	buf_puts(b, "<table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Scope</th>"
	            "<th scope=\"col\">Created</th><th scope=\"col\">Last used</th>"
	            "<th scope=\"col\">Ends</th><th scope=\"col\">Revoke</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < page->ntokens; i++)
		put_token(b, page->session, &page->tokens[i]);
	buf_puts(b, "</tbody>\n</table>\n");
}

static void
put_scopes(struct buf *b, const char *chosen)
{
	static const struct {
		const char *scope, *about;
	} scopes[] = {
		{ "api", "publish, yank, change owners, and read" },
		{ "read_api", "only read" },
	};

	buf_puts(b, "<fieldset><legend>What it may do</legend>\n");
	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++) {
		html_printf(b,
		    "<label class=\"choice\"><input type=\"radio\" name=\"scope\" value=\"%s\"",
		    scopes[i].scope);
		buf_puts(b, strcmp(scopes[i].scope, chosen) == 0 ? " checked>" : ">");
		html_printf(b, " <code>%s</code>: %s</label>\n", scopes[i].scope, scopes[i].about);
	}
	buf_puts(b, "</fieldset>\n");
}

static void
put_operations(struct buf *b, const char *chosen)
{
	unsigned checked = chosen[0] != '\0' ? token_operations_parse(chosen) : 0;

	buf_puts(b, "<p>Only these operations (none ticked: all of them):</p>\n");
	for (unsigned i = 0; i < TOKEN_NOPERATIONS; i++) {
		html_printf(b,
		    "<label class=\"choice\"><input type=\"checkbox\" name=\"operations[]\" value=\"%s\"",
		    token_operation_names[i]);
		buf_puts(b, checked & 1U << i ? " checked>" : ">");
		html_printf(b, " %s</label>\n", token_operation_names[i]);
	}
}

static void
put_new(struct buf *b, const struct token_page *page)
{
	const struct token_form *f = page->form;

	buf_puts(b, "<h2 id=\"new\">A new token</h2>\n");
	if (page->wrong != NULL)
		html_printf(b, "<div class=\"box wrong\" role=\"alert\"><p>%s</p></div>\n", page->wrong);
	put_form(b, page->session, "tokens");
	html_printf(b,
	    "\n<div class=\"field\"><label for=\"name\">Name</label><input type=\"text\" id=\"name\" "
	    "name=\"name\" maxlength=\"255\" required autocomplete=\"off\" value=\"%s\"></div>\n",
	    f->name);
	put_scopes(b, f->scope);
	html_printf(b,
	    "<div class=\"field\"><label for=\"expires\">Ends on</label><input type=\"date\" "
	    "id=\"expires\" name=\"expires\" aria-describedby=\"ends\" value=\"%s\"><p class=\"hint\" "
	    "id=\"ends\">The token ends when that day begins in UTC.  If you leave this empty, it "
	    "never ends.</p></div>\n",
	    f->expires);
	html_printf(b,
	    "<fieldset><legend>Limits (optional)</legend>\n"
	    "<div class=\"field\"><label for=\"crates\">Only these crates</label><input type=\"text\" "
	    "id=\"crates\" name=\"crates\" autocomplete=\"off\" spellcheck=\"false\" "
	    "aria-describedby=\"which\" value=\"%s\"><p class=\"hint\" id=\"which\">Names, or prefixes "
	    "followed by <code>*</code>, separated by commas.</p></div>\n",
	    f->crates);
	put_operations(b, f->operations);
	buf_puts(b, "</fieldset>\n<button class=\"main\">Make the token</button>\n</form>\n");
}

static void
put_made(struct buf *b, const char *made)
{
	html_printf(b,
	    "<div class=\"box\" role=\"status\"><p><strong>Your new token.</strong>  Copy it now: this "
	    "page shows it only once.</p>\n"
	    "<output id=\"token\">%s</output>\n"
	    "<p class=\"hint\">Give it to <code>cargo login --registry NAME</code>, or put it into the "
	    "environment variable <code>CARGO_REGISTRIES_NAME_TOKEN</code>.</p></div>\n",
	    made);
}

void
token_html_page(struct buf *b, const struct token_page *page)
{
	begin(b, "Tokens");
	html_printf(b, "<header><h1>Tokens</h1><p>Signed in as <strong>%s</strong></p>",
	    page->session->session.username);
	put_form(b, page->session, "sign-out");
	buf_puts(b, "<button>Sign out</button></form></header>\n<main>\n");
	if (page->made != NULL)
		put_made(b, page->made);
	put_tokens(b, page);
	put_new(b, page);
	buf_puts(b, "</main>\n");
	end(b);
}

void
token_html_signed_out(struct buf *b, bool sso)
{
	begin(b, "Sign in");
	buf_puts(b, "<header><h1>Sign in</h1></header>\n<main>\n");
	if (sso)
		buf_puts(b, "<p>You are not signed in.  Sign in through your organisation's sign-on, "
		            "or with a code.</p>\n");
	buf_puts(b, "<p>On this page you make the tokens that cargo sends to this registry.  To sign "
	            "in, ask an administrator for a code, which they create with</p>\n"
	            "<p><code>berth user link YOUR-NAME</code></p>\n"
	            "<p>and <a href=\"sign-in\">enter it</a>; or ask for a token: <code>berth token "
	            "add --user YOUR-NAME --scopes api</code>.  Give it to <code>cargo login "
	            "--registry NAME</code>, or put it into the environment variable "
	            "<code>CARGO_REGISTRIES_NAME_TOKEN</code>.</p>\n"
	            "</main>\n");
	end(b);
}

void
token_html_ask_code(struct buf *b, const char *wrong)
{
	begin(b, "Sign in");
	buf_puts(b, "<header><h1>Sign in</h1></header>\n<main>\n");
	if (wrong != NULL)
		html_printf(b, "<div class=\"box wrong\" role=\"alert\"><p>%s</p></div>\n", wrong);
	buf_puts(b, "<form method=\"post\" action=\"sign-in\">\n"
	            "<div class=\"field\"><label for=\"code\">Code</label><input type=\"text\" "
	            "id=\"code\" name=\"code\" required autocomplete=\"off\" spellcheck=\"false\" "
	            "aria-describedby=\"whence\"><p class=\"hint\" id=\"whence\">The code from an "
	            "administrator.  It works once.</p></div>\n"
	            "<button class=\"main\">Go on</button>\n"
	            "</form>\n"
	            "</main>\n");
	end(b);
}

void
token_html_sign_in(struct buf *b, const char *code, const char *username)
{
	begin(b, "Sign in");
	html_printf(b,
	    "<header><h1>Sign in</h1></header>\n"
	    "<main>\n"
	    "<p>This code signs you in as <strong>%s</strong>, once, on this computer, for half a "
	    "day.</p>\n"
	    "<p>All tokens that you make then belong to that user.  If that is not you, or if you have "
	    "not asked for a code, close this page.</p>\n"
	    "<form method=\"post\" action=\"sign-in\">",
	    username);
	html_printf(b,
	    "<input type=\"hidden\" name=\"code\" value=\"%s\"><input type=\"hidden\" name=\"confirm\" "
	    "value=\"true\"><button class=\"main\">Sign in as %s</button></form>\n</main>\n",
	    code, username);
	end(b);
}
