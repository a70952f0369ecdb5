# Work for perl: hashes of lists, regular expressions, sorting and joining, the same on every run.
#
# Usage: work.pl SCALE

use strict;
use warnings;

my $scale = shift @ARGV;
my $state = 1;

sub number {
    $state = ($state * 1103515245 + 12345) % 2147483648;
    return $state >> 8;
}

# Groups random words by their letters, and drops a group when it grows too long.
sub group_words {
    my ($count) = @_;
    my %groups;
    my $dropped = 0;
    for my $i (1 .. $count) {
        my $n = number();
        my $word = join '', map { chr(97 + ($n >> $_) % 11) } (0, 3, 6, 9, 12);
        my $key = join '', sort split //, substr $word, 0, 4;
        push @{$groups{$key}}, $word . $i;
        if (@{$groups{$key}} > 40) {
            $dropped += length join ',', sort @{$groups{$key}};
            delete $groups{$key};
        }
    }
    return $dropped + scalar keys %groups;
}

# Builds lines, takes them apart by a regular expression, and sums the fields by name.
sub parse_lines {
    my ($count) = @_;
    my $format = 'name%d = value-%x ; # %d';
    my @lines = map { sprintf $format, number() % 500, number(), $_ } 1 .. $count;
    my %sums;
    for my $line (@lines) {
        next unless $line =~ /^(\w+)\s*=\s*value-([0-9a-f]+)\s*;/;
        $sums{$1} += hex $2;
    }
    my $text = join "\n", sort { $a cmp $b } @lines;
    $text =~ s/value-(\w)/$1$1/g;
    return length($text) + $sums{name7};
}

my $total = 0;
for (1 .. 3) {
    $total += group_words(int(240_000 * $scale));
    $total += parse_lines(int(240_000 * $scale));
}
print "$total\n";
