// What IT++ (an independent library, Debian's libitpp-dev) says about Gray QAM, as lines for tests/test_link_oracle.c:
//   ber BITS SNR_DB BITS_SENT BIT_ERRORS            its own modulator, noise and demodulator
//   llr EXACT BITS NOISE_POWER RE IM LLR...         its soft demodulator; positive: bit 0 is more likely
#include <cstdio>
#include <itpp/itcomm.h>

int main()
{
    itpp::RNG_reset(7);
    for (int bits = 2; bits <= 8; bits += 2) {
        itpp::QAM qam(1 << bits);
        const double snr_db = 4 + 3 * bits - 2 * (bits == 2), noise = itpp::inv_dB(-snr_db);
        itpp::AWGN_Channel channel(noise);
        long sent = 0, errors = 0;
        for (int block = 0; block < 40; block++) {
            const itpp::bvec b = itpp::randb(bits * 10000);
            const itpp::bvec got = qam.demodulate_bits(channel(qam.modulate_bits(b)));
            for (int i = 0; i < b.size(); i++)
                errors += b(i) != got(i);
            sent += b.size();
        }
        std::printf("ber %d %.17g %ld %ld\n", bits, snr_db, sent, errors);
        for (int i = 0; i < 60; i++)
            for (int exact = 0; exact < 2; exact++) {
                const std::complex<double> z(1.2 * std::sin(3.0 * i), 1.2 * std::cos(5.0 * i));
                const double n0 = itpp::inv_dB(-3 - 0.2 * i);
                const itpp::vec llr =
                    qam.demodulate_soft_bits(itpp::cvec(1) = z, n0, exact ? itpp::LOGMAP : itpp::APPROX);
                std::printf("llr %d %d %.17g %.17g %.17g", exact, bits, n0, z.real(), z.imag());
                for (int b = 0; b < bits; b++)
                    std::printf(" %.17g", llr(b));
                std::printf("\n");
            }
    }
}
