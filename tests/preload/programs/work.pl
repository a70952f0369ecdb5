# Hashes of arrays, strings that grow, patterns, sorting, closures; prints digests of what it made.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);

my $state = 42;
sub random_below {
  $state = ($state * 1103515245 + 12345) % 2147483648;
  return int($state / 65536) % $_[0];
}

my %words;
for my $i (1 .. 300000) {
  my $word = join '', map { chr(97 + random_below(26)) } 1 .. 2 + random_below(4);
  push @{$words{$word}}, $i;
}
print scalar(keys %words), " words, ", md5_hex(join ',', map { "$_=@{$words{$_}}" } sort keys %words),
  "\n";

my $text = '';
$text .= "line $_: " . 'x' x random_below(200) . "\n" for 1 .. 30000;
my $replaced = ($text =~ s/(\d+): (x*)/"$2-" . reverse($1)/ge);
print "$replaced lines, ", length($text), " characters, ", md5_hex($text), "\n";

my @records = map { {id => $_, key => random_below(100000), name => "name$_" x random_below(5)} }
  1 .. 100000;
my @sorted = sort { $a->{key} <=> $b->{key} || $a->{id} <=> $b->{id} } @records;
print md5_hex(join ' ', map { "$_->{key}$_->{name}" } @sorted), "\n";

my @closures = map { my $captured = "v$_" x 10; sub { $captured .= $_[0]; length $captured } }
  1 .. 50000;
my $total = 0;
for my $round (1 .. 5) {
  $total += $_->('y' x $round) for @closures;
  splice @closures, random_below(scalar @closures), 5000;
}
print "$total\n";

open my $pipe, '-|', 'echo a child wrote this' or die;
print while <$pipe>;
close $pipe;
