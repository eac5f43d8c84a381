// What actor can be; each gives the exit status.
#pragma once

#include "../bench/stream.h"

namespace soak {

// The other side has gone.
constexpr int kPeerGone = 3;

int play(const bench::Arguments& arguments);
int record(const bench::Arguments& arguments);

// With a mapped buffer (--close-first 1: unmapped after the close). Either says "late"
// when the machine did not let it keep up: then its sound tells nothing.
int play_mapped(const bench::Arguments& arguments);
int record_mapped(const bench::Arguments& arguments);

// With children that are killed while they write.
int play_beside_killed(const bench::Arguments& arguments);

// A player and a recorder of different formats, one at --path that is killed and comes
// again, as server or not (--serves 1), a player or not (--plays 0), the other at --other.
int kill_converting(const bench::Arguments& arguments);

// Programs of one instance of which any is killed and comes again at once, servers at --path,
// clients at --other: a headset on each side, --server-programs and --client-programs 1 | 2;
// --clients players of which a server hears the sum; or so many recorders of what it plays.
int kill_headsets(const bench::Arguments& arguments);
int kill_players(const bench::Arguments& arguments);
int kill_listeners(const bench::Arguments& arguments);

// Streams of a player whose handler closes the device, --handler close | reopen; says
// "sent ID FRAMES" of each.
int play_interrupted(const bench::Arguments& arguments);

// Starts players or recorders as a shell does, on a standard number that is the device.
int redirect(const bench::Arguments& arguments);

// Forks while another thread opens its first device.
int start(const bench::Arguments& arguments);

}  // namespace soak
