// The name that the machine gives itself.
#include "pipeline/clock.hpp"

#include <unistd.h>

namespace stemma {

std::string host_name() {
  char text[256] = {};
  return gethostname(text, sizeof text - 1) == 0 ? text : "unknown";
}

}  // namespace stemma
