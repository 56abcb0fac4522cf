// Which vector instructions do our kernels use?
#include "io/model/simd.hpp"

#include <hwy/highway.h>

#include <cstdint>
#include <stdexcept>

namespace stemma {
namespace {

void use(std::int64_t targets) {
  hwy::SetSupportedTargetsForTest(targets);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    names.emplace_back(hwy::TargetName(target));
  return names;
}

ForcedSimdTarget::ForcedSimdTarget(const std::string& name) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (name == hwy::TargetName(target)) {
      use(target);
      return;
    }
  throw std::invalid_argument("no kernels for " + name);
}

ForcedSimdTarget::~ForcedSimdTarget() { use(0); }

}  // namespace stemma
