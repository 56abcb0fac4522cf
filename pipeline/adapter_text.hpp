// What does the trace of an adapter say on the screen and to scripts?
#pragma once
#include <string>

#include "pipeline/adapter_trace.hpp"

namespace stemma {

/// The verdict, one line for each weight, what is odd, and what was read.
std::string adapter_summary(const Pair& pair, const AdapterTrace& trace);
/// stemma.trace/1 with one pair, which has "adapter" instead of "content" and "origin_tracer".
std::string adapter_json(const Pair& pair, const AdapterTrace& trace);

}  // namespace stemma
