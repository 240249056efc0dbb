/* config/command: what a command prints, how it fails, and how long it may take. */
#include "config/command.h"

#include <string.h>

#include "tap.h"

int
main(void)
{
	char text[16];
	struct err err = { 0 };

	is_int(command_output("echo a; echo b >&2", COMMAND_MS, text, sizeof(text), &err), 0, "a command");
	is_str(text, "a\nb\n", "prints on both outputs");
	is_int(command_output("echo 0123456789abcdef", COMMAND_MS, text, sizeof(text), &err), 0, "a long line");
	is_str(text, "0123456789abcde", "is cut");
	is_int(command_output("echo no; exit 3", COMMAND_MS, text, sizeof(text), &err), -1, "one that fails");
	is_str(err.detail, "cannot run `echo no; exit 3`: no", "says why");
	is_int(command_output("exit 3", COMMAND_MS, text, sizeof(text), &err), -1, "one that fails and is silent");
	is_str(err.detail, "cannot run `exit 3`: it exits with status 3", "has its status");
	is_int(command_output("echo began; exec sleep 100", 200, text, sizeof(text), &err), -1, "one without end");
	is_str(err.detail, "cannot run `echo began; exec sleep 100`: it does not end within 200 ms", "is late");
	return tap_done();
}
