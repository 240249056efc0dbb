/* Seats: so many at once, of several processes, and none is lost with one that dies. */

#include "base/seats.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

enum { N = 2 };

/* A process that takes a seat, tells which one, and sits there until it is killed. */
static pid_t
sitter(int seats, int *seat)
{
	int pipes[2];
	pid_t pid;

	ok(pipe(pipes) == 0, "a pipe");
	pid = fork();
	if (pid == 0) {
		int mine = seats_take(seats, N);

		if (write(pipes[1], &mine, sizeof(mine)) == sizeof(mine))
			pause();
		_exit(1);
	}
	ok(read(pipes[0], seat, sizeof(*seat)) == sizeof(*seat), "it has come");
	close(pipes[0]);
	close(pipes[1]);
	return pid;
}

int
main(void)
{
	int seats = seats_new();
	int first, second, third;
	pid_t one, two;

	ok(seats != -1, "they are made");
	one = sitter(seats, &first);
	two = sitter(seats, &second);
	is_int(first, 0, "the first seat");
	is_int(second, 1, "the second seat");
	is_int(seats_take(seats, N), -1, "no more");
	kill(one, SIGKILL);
	ok(waitpid(one, NULL, 0) == one, "one dies");
	third = seats_take(seats, N);
	is_int(third, 0, "its seat is free");
	one = sitter(seats, &first);
	is_int(first, -1, "but once");
	seats_leave(seats, third);
	kill(one, SIGKILL);
	ok(waitpid(one, NULL, 0) == one, "who got none goes");
	one = sitter(seats, &first);
	is_int(first, 0, "a seat that was left");
	kill(one, SIGKILL);
	kill(two, SIGKILL);
	ok(waitpid(one, NULL, 0) == one && waitpid(two, NULL, 0) == two, "the end");
	close(seats);
	return tap_done();
}
