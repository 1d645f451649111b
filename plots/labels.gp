# Names at the ends of curves: sorts what name_end() of common.gp kept, moves neighbours apart, and sets a label each at
# label_x. gap: least distance, in label_at's units; low, high: ends of the axis; logarithm: 1 if they are powers of ten.
unset label
do for [i=2:labels] {
  do for [k=i:2:-1] {
    if (label_at[k] < label_at[k-1]) {
      swap = label_at[k]; label_at[k] = label_at[k-1]; label_at[k-1] = swap
      swap_text = label_text[k]; label_text[k] = label_text[k-1]; label_text[k-1] = swap_text
      swap = label_style[k]; label_style[k] = label_style[k-1]; label_style[k-1] = swap
    }
  }
}
# neighbours that are too close push each other apart, the ends of the axis push back
do for [pass=1:40] {
  do for [i=1:labels] {
    if (label_at[i] < low + gap/2) { label_at[i] = low + gap/2 }
    if (label_at[i] > high - gap/2) { label_at[i] = high - gap/2 }
    if (i > 1) {
      push = gap - (label_at[i] - label_at[i-1])
      if (push > 0) { label_at[i] = label_at[i] + push/2; label_at[i-1] = label_at[i-1] - push/2 }
    }
  }
}
do for [i=1:labels] { set label i "{/*0.85 ".label_text[i]."}" at first label_x, first (logarithm ? 10**label_at[i] : label_at[i]) left textcolor ls label_style[i] }
labels = 0; last = NaN
