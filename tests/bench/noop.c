/* noop: a program that does nothing, linked -static: what is left of its run is what a process
 * costs. For measuring. */
int main(void)
{
    return 0;
}
