// Which files make up the model that the user named, and what do they hold?
#pragma once
#include <string>
#include <vector>

#include "io/model/checkpoint.hpp"

namespace stemma {

/// A location that holds no usable model. finding() is the first reason, findings() has everything that was
/// seen, sorted by (file, offset, tensor, rule).
class UnreadableModel : public InvalidInput {
 public:
  UnreadableModel(const Finding& first, std::vector<Finding> findings)
      : InvalidInput(first), findings_(std::move(findings)) {}
  const std::vector<Finding>& findings() const { return findings_; }

 private:
  std::vector<Finding> findings_;
};

/// Opens a model directory, a weight file, a *.index.json, or BASE+ADAPTER, which is a base with an adapter
/// merged into it. Reads headers, index, configuration and
/// front matter only; never writes, never touches the network. Throws UnreadableModel.
Checkpoint open_checkpoint(const std::string& location);

}  // namespace stemma
