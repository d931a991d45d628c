# A Request Tracker of the tests' own: everything it writes lies in one folder, no mail leaves it, and its clock is not UTC.
use utf8;
my $folder = $ENV{RT_PEER_FOLDER};
Set($rtname, 'desk');
Set($Organization, 'desk.example');
Set($Timezone, 'America/New_York');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, "$folder/rt.sqlite");
Set($WebDomain, 'desk.example');
Set($WebPath, '');
Set($BcryptCost, 4);
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($MailCommand, sub { return 1 });
$RT::MasonDataDir = "$folder/mason";
$RT::MasonSessionDir = "$folder/sessions";
$RT::VarPath = $folder;
1;
