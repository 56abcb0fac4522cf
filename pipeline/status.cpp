// One small document, written whole.
#include "pipeline/status.hpp"

#include <cmath>
#include <fstream>
#include <utility>

#include "pipeline/clock.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/version.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

/// Whole numbers: nobody needs the fraction of a byte or of a second.
Json or_null(const std::optional<double>& number) { return number ? Json(std::round(*number)) : Json(); }

}  // namespace

std::string status_json(const RunStatus& status) {
  return json_text({{"schema", "stemma.status/1"},
                    {"stemma", version_text},
                    {"stage", status.stage},
                    {"unit", status.unit},
                    {"done", status.done},
                    {"total", status.total},
                    {"bytes", status.bytes},
                    {"rate", or_null(status.rate)},
                    {"eta", or_null(status.eta)},
                    {"deadline", status.deadline.empty() ? Json() : Json(status.deadline)},
                    {"failed", status.failed},
                    {"updated", utc_now()},
                    {"exit_code", status.exit_code ? Json(*status.exit_code) : Json()}});
}

std::string ended_status_json(const std::filesystem::path& file, std::string stage, int exit_code) {
  std::ifstream in(file);
  const auto before = Json::parse(in, nullptr, false);
  const auto known = [&](const char* name) -> Json {
    return before.is_object() && before.contains(name) ? before[name] : Json();
  };
  const auto number = [&](const char* name) -> std::uint64_t {
    const Json value = known(name);
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
  };
  const Json deadline = known("deadline"), unit = known("unit");
  return status_json({.stage = std::move(stage),
                      .unit = unit.is_string() ? unit.get<std::string>() : std::string(usual_unit),
                      .done = number("done"),
                      .total = number("total"),
                      .bytes = number("bytes"),
                      .deadline = deadline.is_string() ? deadline.get<std::string>() : "",
                      .failed = number("failed"),
                      .exit_code = exit_code});
}

}  // namespace stemma
