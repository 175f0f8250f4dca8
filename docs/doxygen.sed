# What people read as text and Doxygen as a command: placeholders like <task> in paths, a colon behind a \cite key, @.
/\/\/\//{
:cite
/\\cite *$/{
N
s#\\cite *\n */// *#\\cite #
b cite
}
s#(\\cite [A-Za-z0-9-]+):#\1 :#g
s#<([a-z_ ]+|k)>#\\<\1\\>#g
s#@sha#\\@sha#g
s#([^\\])\\usepackage#\1\\\\usepackage#g
}
