#!/usr/bin/env perl
# Counts lines and words of a file, block by block: Perl, as a resident, without any helper.
use strict;
use warnings;
use JSON::PP;

my $block_size = $ENV{BLOCK} || 65536;
open(my $out, '>&', \*STDOUT) or die $!;    # standard output is the protocol's
open(STDOUT, '>&', \*STDERR) or die $!;
$out->autoflush(1);

sub say_it { print $out encode_json({@_}), "\n" }

sub count {
    my ($run) = @_;
    my $state = $run->{checkpoint} || { offset => 0, lines => 0, words => 0, in_word => 0 };
    my $started_at = $state->{offset};
    my $key = $run->{key};
    utf8::encode($key);
    open(my $file, '<:raw', $key) or return (type => 'fail', why => "$!");
    my $total = -s $file;
    while (my $got = sysread_block($file, $state->{offset})) {
        $state->{lines} += ($got =~ tr/\n//);
        $state->{words} += () = $got =~ /[^ \t\n\x0b\f\r]+/g;
        $state->{words}-- if $state->{in_word} && $got =~ /^[^ \t\n\x0b\f\r]/;
        $state->{in_word} = $got =~ /[^ \t\n\x0b\f\r]\z/ ? 1 : 0;
        $state->{offset} += length $got;
        say_it(type => 'progress', id => $run->{id}, done => $state->{offset}, total => $total);
        say_it(type => 'checkpoint', id => $run->{id}, data => $state);
    }
    return (type => 'done', result => { lines => $state->{lines}, words => $state->{words},
            started_at => $started_at });
}

sub sysread_block {
    my ($file, $offset) = @_;
    sysseek($file, $offset, 0);
    my $n = sysread($file, my $got, $block_size);
    return $n ? $got : '';
}

say_it(type => 'hello', protocol => 1);
while (my $line = <STDIN>) {
    my $run = decode_json($line);
    next if $run->{type} ne 'run';
    my %outcome = count($run);
    say_it(%outcome, id => $run->{id});
}
