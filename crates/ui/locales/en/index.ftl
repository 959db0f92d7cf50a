# The nation's index: perhaps registered elsewhere
index-title = Perhaps registered elsewhere already
index-doubt = Another facility registered somebody with the same number, or with the same name, day of birth and sex and the same mother or village. It may be the same person or another one. Ask the person, then look at both charts.
index-ask = Ask for the chart
index-not-asked = The other chart has not been asked for
index-asked = Asked for { $when }. It comes by the road.
index-too-often = This facility asked too much just now. Ask again in some minutes.
index-here = The other chart has come.
index-look = Look at both side by side
index-look-receive = Receive, and look at both side by side
index-no = Another person
index-open = The nation's index is being asked whether this person is registered elsewhere. You need not wait.
index-put-off = This facility asked the nation's index too much just now. The answer comes later.
index-more = There are more. Please look at these first.
note-index-asked = The chart was asked for.
note-index-no = Noted: another person.
note-index-look = Look at both, then answer below.
