// What is in an archive? One table, from which creation, validation, hashes and documentation come.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/archive/hdf5.hpp"

namespace stemma::layout {

inline constexpr std::string_view version = "1.0.0";
inline constexpr unsigned major = 1;

/// Which canonical hashes a column enters: exact (both), feature (canonical_all only), record (neither).
enum class Enters : std::uint8_t { exact, feature, record };
std::string_view name_of(Enters enters);

/// What a dimension's scale holds: row numbers (u4), fixed labels (str), fixed values (f8), labels that are
/// found while writing (str), or nothing: payload dimensions are as long as the data, so their numbering is
/// left out (the netCDF form of a dimension without a variable).
enum class Scale : std::uint8_t { numbers, labels, values, found_labels, bare };

struct Dimension {
  std::string name;
  Scale scale = Scale::numbers;
  std::uint64_t extent = 0;  ///< 0: grows
  std::string long_name;
  std::vector<std::string> labels = {};
  std::vector<double> values = {};

  bool grows() const { return extent == 0; }
};

struct Column {
  std::string name;
  h5::Type type = h5::Type::u4;
  std::vector<std::string> dims;  ///< none: a scalar
  Enters enters = Enters::exact;
  std::string long_name;
  std::string units = "1";  ///< of numeric columns
  std::string flags = {};   ///< name of the enumeration, for u1 columns
  std::string refers = {};  ///< dimension that an index points into
  std::string counts = {};  ///< of a row count: the dimension of the pieces that it counts
  std::string starts = {};  ///< of a row start: the dimension that it points into
  std::string length = {};  ///< of a row start: the column that says how many pieces begin there
  double tolerance = 1e-9;  ///< of reals that may differ, over the largest number of the row or piece
  bool sentinel = false;    ///< all bits set means missing
  bool owner = false;       ///< of an index: the row belongs to the row that it points to
  bool derived = false;     ///< follows from other columns of all models, so a merge makes it anew
  bool rounding = false;  ///< tells how a number was found and how well, and may differ between equal results
  bool turns = false;     ///< changes its sign when the two models of a pair change places
};

struct Group {
  std::string path;  ///< "" for the root
  std::string encoding_type;
  std::string summary;
  std::vector<Dimension> dimensions;
  std::vector<Column> columns;

  bool of_method() const { return encoding_type == "method"; }
  /// "spectrum" of "methods/spectrum".
  std::string last_step() const { return path.substr(path.find('/') + 1); }
};

/// Enumeration: value and meaning. Values are append only.
struct FlagTable {
  std::string name;
  std::vector<std::pair<std::uint8_t, std::string>> values;
};

const std::vector<Group>& groups();
const std::vector<FlagTable>& flag_tables();
const FlagTable& flag_table(std::string_view name);

/// "tensors/rows"; the name alone in the root.
std::string path_in(const Group& group, std::string_view name);

/// A dimension by name as seen from a group: its own, else an ancestor's. With the path of its scale.
struct PlacedDimension {
  const Dimension* dimension = nullptr;
  std::string path;
};
PlacedDimension find_dimension(const Group& group, std::string_view name);
/// Path of the scale that an index points into, wherever it stands.
std::string path_of_referred(const Column& column);

/// The whole layout as text, for people: /schema/layout, ARCHIVE.md, `stemma schema`.
std::string as_text();
/// The same for programs: /schema/schema_json and /schema/flag_tables.
std::string as_json();
std::string flag_tables_json();

}  // namespace stemma::layout
