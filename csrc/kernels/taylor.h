// Coefficients of cos(x) and sin(x) / x in x^2, of which the first nine leave less than 2^-53 on |x| <= pi/4. The same
// for the reference and the vector form of normal numbers, which must agree in every bit.
#pragma once

namespace fd {

constexpr double kTaylorCos[9] = {1.0,
                                  -1.0 / 2,
                                  1.0 / 24,
                                  -1.0 / 720,
                                  1.0 / 40320,
                                  -1.0 / 3628800,
                                  1.0 / 479001600,
                                  -1.0 / 87178291200,
                                  1.0 / 20922789888000};
constexpr double kTaylorSin[9] = {1.0,
                                  -1.0 / 6,
                                  1.0 / 120,
                                  -1.0 / 5040,
                                  1.0 / 362880,
                                  -1.0 / 39916800,
                                  1.0 / 6227020800,
                                  -1.0 / 1307674368000,
                                  1.0 / 355687428096000};

}  // namespace fd
