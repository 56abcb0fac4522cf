// Has somebody asked this process to end?
#pragma once
#include <cstdint>

namespace stemma {

/// What was asked for, the stronger one last: to finish what fits in a short while, or to end at once.
enum class StopWish : std::uint8_t { none, soon, at_once };

/// From now on signals are wishes: USR1 asks to end soon; TERM, INT and HUP to end at once. Schedulers send
/// TERM twice, so repeating it changes nothing; only a second INT, more than a second after the first, ends
/// the process there and then: somebody sits at the keyboard. INT and HUP that are ignored already stay so.
/// USR2 asks for a line of progress. Call it before MPI is started.
void listen_to_signals();

/// The strongest wish so far, of a signal or of pass_on_wish.
StopWish stop_wish();
/// Seconds since that wish, or a stronger one, came first; infinite when it never did.
double seconds_since(StopWish wish);
/// Another rank was asked, and this one with it.
void pass_on_wish(StopWish wish);

/// Whether a line of progress was asked for since this was last called.
bool progress_wanted();

}  // namespace stemma
