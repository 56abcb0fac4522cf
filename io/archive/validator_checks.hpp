// What does each part of the validation look at?
#pragma once
#include <string>
#include <vector>

#include "io/archive/archive_validator.hpp"
#include "io/archive/hdf5.hpp"
#include "io/archive/layout.hpp"
#include "io/archive/storage_error.hpp"

namespace stemma {

/// Collects complaints. An exception inside one check is a complaint, and the next check goes on.
class ComplaintList {
 public:
  void add(std::string rule, std::string where, std::string problem) {
    list_.push_back({"archive." + std::move(rule), std::move(where), std::move(problem)});
  }
  template <class Check>
  void attempt(const std::string& where, const Check& check) {
    try {
      check();
    } catch (const StorageError& e) {
      add("unreadable", where, e.problem());
    } catch (const std::exception& e) {
      add("unreadable", where, e.what());
    }
  }
  bool empty() const { return list_.empty(); }
  std::vector<Complaint> take() { return std::move(list_); }

 private:
  std::vector<Complaint> list_;
};

/// Attributes of the root; false when the file is none of ours and nothing else can be said.
bool check_root(const h5::File& file, ComplaintList& complaints);
/// Every group, dataset, type, dimension, scale and attribute of the layout, and no forbidden type elsewhere.
void check_structure(const h5::File& file, ComplaintList& complaints);
/// Columns against themselves: indexes in range, enumerations known, ragged columns without gaps.
void check_columns(const h5::File& file, ComplaintList& complaints);
/// Columns against each other: order of models and pairs, sums of counts, duplicates.
void check_relations(const h5::File& file, ComplaintList& complaints);
/// Spectra: order, count and error formula, sums of squares against the moments.
void check_spectra(const h5::File& file, ComplaintList& complaints);
/// Repaired responses of tensorguard: all numbers of a projection or none, and moments that can be.
void check_responses(const h5::File& file, ComplaintList& complaints);
/// Neurons: numbers and keys of anchors, places that an MLP has.
void check_neurons(const h5::File& file, ComplaintList& complaints);
/// Canonical hashes, hash of the configuration, text of the layout.
void check_hashes(const h5::File& file, ComplaintList& complaints);

}  // namespace stemma
