# Two queues, one whose scrip posts to us and one that we ask; a robot with the rights docs/integrating.md names.
use utf8;
@Users = ({ Name => 'robot', Password => 'robot-password', EmailAddress => 'robot@parts.example', Privileged => 1 });
@Queues = map { { Name => $_ } } ('Pushed', 'Asked');
@CustomFields = map {
    { Name => $_, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', ApplyTo => ['Pushed', 'Asked'] }
} qw(Serial Part Quantity);
@ACL = map { { GroupDomain => 'SystemInternal', GroupType => 'Privileged', Right => $_ } } qw(
    SeeQueue SeeCustomField ShowTicket ShowTicketComments ReplyToTicket CommentOnTicket ModifyTicket
    CreateTicket ModifyCustomField SetInitialCustomField ManageAuthTokens
);
@Scrips = ({
    Queue => 'Pushed', Description => 'Tell Sparelane', Template => 'Blank', Stage => 'TransactionBatch',
    ScripCondition => 'On Transaction', ScripAction => 'User Defined',
    CustomPrepareCode => 'return 1;', CustomCommitCode => $ENV{RT_PEER_SCRIP},
});
@Final = (sub {
    my $robot = RT::CurrentUser->new('robot');
    my ($made, $message, $token) = RT::AuthToken->new($robot)->Create(Owner => $robot->id, Description => 'Sparelane');
    die $message unless $made;
    open my $out, '>', "$ENV{RT_PEER_FOLDER}/token" or die $!;
    print $out $token;
    close $out;
});
1;
