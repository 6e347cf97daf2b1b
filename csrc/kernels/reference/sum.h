// Sums that an oracle can answer for.
#pragma once

namespace fd::reference {

// Adds in double and carries along what every addition loses (its exact error: Knuth, TAOCP volume 2, 4.2.2), so the
// result is good to about one unit in the last place however many terms there are.
class Sum {
 public:
  void operator+=(double x) {
    const double next = total_ + x, part = next - total_;
    lost_ += (total_ - (next - part)) + (x - part);
    total_ = next;
  }
  void operator*=(double factor) {
    total_ *= factor;
    lost_ *= factor;
  }
  operator double() const { return lost_ == lost_ ? total_ + lost_ : total_; }  // infinities leave NaN in lost_

 private:
  double total_ = 0, lost_ = 0;
};

}  // namespace fd::reference
