// Which shape, word and colour belong to a class?
#include "io/report/page/relation_mark.hpp"

#include <fmt/format.h>

#include <array>
#include <string>

namespace stemma {
namespace {

struct Look {
  std::string_view style, meaning;
  /// Path in a box from -1 to 1.
  std::string_view shape;
  bool joins;
};

// In the order of Relation. Shapes differ without colour: filled ones join models, hollow ones do not.
constexpr std::array<Look, 9> looks = {{
    {"r-exact", "all tensors are bit-identical", "M-.8 -.8H.8V.8H-.8Z", true},
    {"r-reencoded", "equal up to storage in another format", "M0 -1L1 0L0 1L-1 0Z", true},
    {"r-reparametrised", "the same function in other coordinates", "M-.5 -.87H.5L1 0L.5 .87H-.5L-1 0Z", true},
    {"r-lowrank", "differs by an update of low rank", "M0 -.9L.95 .8H-.95Z", true},
    {"r-same", "inconsistent with independent initialisation", "M-.9 0A.9 .9 0 1 0 .9 0A.9 .9 0 1 0 -.9 0Z",
     true},
    {"r-partial", "the same, for some layers or experts only", "M-.9 0A.9 .9 0 0 1 .9 0Z", true},
    {"r-shared", "a shared initialisation and separate training",
     "M0 -.9L.9 0L0 .9L-.9 0ZM0 -.35L-.35 0L0 .35L.35 0Z", true},
    {"r-none", "no evidence against independent initialisation",
     "M-.9 0A.9 .9 0 1 0 .9 0A.9 .9 0 1 0 -.9 0ZM-.55 0A.55 .55 0 1 1 .55 0A.55 .55 0 1 1 -.55 0Z", false},
    {"r-abstain", "nothing was found that decides", "M-.9 -.2H.9V.2H-.9Z", false},
}};

const Look& look_of(Relation relation) { return looks.at(static_cast<std::size_t>(relation)); }

}  // namespace

std::string_view meaning_of(Relation relation) { return look_of(relation).meaning; }
bool joins(Relation relation) { return look_of(relation).joins; }

void draw_mark(Markup& page, Relation relation, double x, double y, double size) {
  const Look& look = look_of(relation);
  page.leaf("path", {{"class", "mark " + std::string(look.style)},
                     {"d", look.shape},
                     {"transform", fmt::format("translate({} {}) scale({})", coordinate(x), coordinate(y),
                                               coordinate(size / 2))}});
}

void write_mark(Markup& page, Relation relation) {
  page.open(
      "svg",
      {{"class", "icon"}, {"width", 14}, {"height", 14}, {"aria-hidden", "true"}, {"focusable", "false"}});
  draw_mark(page, relation, 7, 7, 12);
  page.close("svg");
}

void write_relation(Markup& page, Relation relation, std::string_view reason) {
  page.open("span", {{"class", "relation"}});
  write_mark(page, relation);
  page.text(name_of(relation));
  if (!reason.empty()) page.text(" (").name(reason, 40).text(")");
  page.close("span");
}

}  // namespace stemma
